/* The commands: what they are called, what they take, and what runs them. */
#ifndef ISCSICLI_COMMANDS_H
#define ISCSICLI_COMMANDS_H

#include "platform.h"

/* `arguments` are those after the command's name; their number is known to be right. */
typedef ISDSC_STATUS command_run(int count, char **arguments);

struct command {
    const char *name;
    unsigned long counts; /* bit n: n arguments are right; bit 31: 31 or more */
    int mapping;          /* if not 0: index of the mapping block that ends the arguments */
    command_run *run;
    const char *arguments; /* for the usage */
    const char *help;      /* what it does, and what is special about its arguments */
};

/* Run the command that the words name, or print usage. Prints the status line too. */
ISDSC_STATUS command_dispatch(int count, char **words);

/* targets.c */
command_run run_add_target, run_remove_target, run_quick_add_target, run_list_targets;
/* target_info.c */
command_run run_target_info;
/* portals.c */
command_run run_add_portal, run_quick_add_portal, run_remove_portal, run_refresh_portal,
    run_list_portals;
command_run run_add_isns, run_remove_isns, run_refresh_isns, run_list_isns;
/* logins.c */
command_run run_login, run_persistent_login, run_quick_login, run_logout, run_list_persistent,
    run_remove_persistent;
command_run run_add_connection, run_quick_add_connection, run_remove_connection, run_switch_portal;
/* sessions.c */
command_run run_session_list, run_mappings;
/* scsi.c */
command_run run_inquiry, run_read_capacity, run_report_luns;
/* settings.c */
command_run run_list_initiators, run_node_name, run_chap_secret;
command_run run_bind_devices, run_report_devices, run_add_device, run_remove_device,
    run_clear_devices;
/* parameters.c */
command_run run_effective_parameters;
/* monitor.c */
command_run run_monitor;
/* ipsec.c */
command_run run_tunnel_address, run_group_key, run_set_key, run_get_key;

#endif
