/* How long a test waits for what must happen: longer than any machine needs, however slow or busy.
 * Only what never happens takes all of it. */
#ifndef TESTS_SUPPORT_PATIENCE_H
#define TESTS_SUPPORT_PATIENCE_H

#define PATIENCE_MS 120000

/* For time-outs of Redis that no test waits for: what comes late is no error here. */
#define REDIS_PATIENCE_MS 20000

#endif
