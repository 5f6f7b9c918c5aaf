/* What stream and datagram sockets have in common: for this floor's own use. */
#ifndef OS_POSIX_NATIVE_SOCKET_H
#define OS_POSIX_NATIVE_SOCKET_H

#include "os/net.h"

/* Neither blocking nor handed to programs that are started. -1: errno tells. */
int native_socket(const struct os_native_address *address, int type);
/* 0 or an errno. */
int native_bind(int file, const struct os_address *at);
void native_switch_on(int file, int level, int option);

/* As os_connect says, and as os_listen says. Of an error 0 or "under way": OK. */
enum status native_connect_status(int error);
enum status native_listen_status(int error);

#endif
