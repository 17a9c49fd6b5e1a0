/* Browser, operating system and kind of device, from the user agent: an ordered table of what
 * agents call themselves. Families only, no versions. */
#ifndef COLLECTOR_AGENT_H
#define COLLECTOR_AGENT_H

#include "core/slice.h"

/* Static texts; each "" where the agent does not say. */
struct agent {
    struct slice browser; /* "Chrome" */
    struct slice os;      /* "Windows" */
    struct slice device;  /* "desktop", "mobile", "tablet", "tv", "console" */
};

struct agent agent_parse(struct slice user_agent);

#endif
