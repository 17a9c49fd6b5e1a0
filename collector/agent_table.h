/* The rules by which user agents are read, as collector/data/make_table.c compiles them in. */
#ifndef COLLECTOR_AGENT_TABLE_H
#define COLLECTOR_AGENT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/* Each set is a list in which the first rule that matches wins. */
enum agent_set {
    AGENT_BROWSER, /* uap-core's user_agent_parsers */
    AGENT_OS,      /* its os_parsers */
    AGENT_DEVICE,  /* its device_parsers */
    AGENT_CRAWLER, /* collector/data/crawlers.txt */
    AGENT_SIGN,    /* collector/data/signs.txt */
    AGENT_SET_COUNT
};

struct agent_rule {
    const char *pattern; /* PCRE; where is_text, the very text to look for, case and all */
    const char *name; /* what a match means, with $1 to $9 for its groups; NULL: the first group */
    bool is_text;
    bool ignores_case;
    uint16_t first_need; /* at least one of these, in lower case, stands in every match; */
    uint16_t n_needs;    /* none: the rule has to be tried on every agent */
};

extern const struct agent_rule agent_table_rules[];
extern const char *const agent_table_needs[];
extern const uint32_t
    agent_table_sets[AGENT_SET_COUNT + 1]; /* where each begins, and the last ends */

/* Hosts of referrer spam, lower case, sorted as bytes. */
extern const char *const agent_table_spammers[];
extern const uint32_t agent_table_n_spammers;

#endif
