/* sd_notify by libsystemd. Its results are not looked at: a service manager that does not listen is no fault of ours. */
#include <systemd/sd-daemon.h>

#include "sdk/program/notify.h"

void notify_ready(const char *status)
{
    sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

uint32_t notify_watchdog_ms(void)
{
    uint64_t us = 0;
    if (sd_watchdog_enabled(0, &us) <= 0) return 0;
    uint64_t ms = us / 2000;
    return ms > UINT32_MAX ? UINT32_MAX : ms > 0 ? (uint32_t)ms : 1;
}

void notify_watchdog(void)
{
    sd_notify(0, "WATCHDOG=1");
}
