/* What a service manager is told (sd_notify). Without one (no NOTIFY_SOCKET) every call does nothing. Kind: shell. Any thread. */
#ifndef WEIR_PROGRAM_NOTIFY_H
#define WEIR_PROGRAM_NOTIFY_H

#include <stdint.h>

void notify_ready(const char *status); /* it serves; status: one line for people */
void notify_stopping(void);

/* How often notify_watchdog must be called at least, in ms, half of what systemd allows; 0: no watchdog. */
uint32_t notify_watchdog_ms(void);
void notify_watchdog(void);

#endif
