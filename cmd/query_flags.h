/* The flags of a report's parameters, as `funnel run` and `count` take them. */
#ifndef CMD_QUERY_FLAGS_H
#define CMD_QUERY_FLAGS_H

#include "aggregator/funnel/request.h"
#include "cmd/cmd.h"

/* Every parameter that was given as a flag ("--as-of" is as_of), and the filters of --where; then
 * request_finish. */
enum err_code query_flags_read(struct cmd *c, struct request *r, struct slice site_zone,
                               struct err *err);

#endif
