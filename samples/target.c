#include <stdio.h>
#include "iscsi.h"

int main(int argc, char **argv)
{
    iscsi_target_t target;

    iscsi_target_set_defaults(&target);
    iscsi_target_setvar(&target, "target port", argc > 1 ? argv[1] : "3260");
    iscsi_target_setvar(&target, "targets",
                        "extent0 ram: 0 64MB\n"
                        "extent1 disk.img 0 1GB\n"
                        "target0 rw extent0 any\n"
                        "target1 rw extent1 127.0.0.0/8\n");
    if (iscsi_target_start(&target) != 0)
        return printf("%s\n", iscsi_target_getvar(&target, "error")), 1;
    printf("listening at %s\n", iscsi_target_getvar(&target, "target address")), fflush(stdout);
    return iscsi_target_listen(&target) != 0;
}
