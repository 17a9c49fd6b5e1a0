/* What kind of device an agent is on: a table of ours over what uap-core says of system and device,
 * which name products, not kinds. */
#ifndef COLLECTOR_AGENT_DEVICE_H
#define COLLECTOR_AGENT_DEVICE_H

#include "core/slice.h"

enum agent_device {
    DEVICE_UNSAID, /* "" */
    DEVICE_DESKTOP,
    DEVICE_MOBILE,
    DEVICE_TABLET,
    DEVICE_TV,
    DEVICE_CONSOLE,
    DEVICE_WEARABLE,
    DEVICE_BOT,
    DEVICE_UNKNOWN /* "(unknown)": nobody has looked */
};

/* os and product are uap-core's families, "" for none. */
enum agent_device agent_device_of(struct slice user_agent, struct slice os, struct slice product);

struct slice agent_device_name(enum agent_device device); /* static */

#endif
