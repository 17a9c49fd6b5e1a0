/* What a running `corong up` says of itself to other commands, in up.json of the data folder:
 *
 *     {"pid":1,"collector_port":8001,"web_port":8000,"collector_url":"https://..",
 *      "snippet_path":"/corong.js","beacon_path":"/e","processes":{"redis-server":2,..}}
 */
#ifndef CMD_STATE_H
#define CMD_STATE_H

#include <jansson.h>

#include "aggregator/store.h"

#define STATE_FILE "up.json"

/* The object, the caller's (json_decref); NULL where none runs. One that was killed leaves its own
 * behind. */
json_t *state_read(const struct store *store);

#endif
