/* What the hash STREAM_SITES holds besides a site's settings under its public key. A field that
 * starts with '/' is no site's: public keys start with "site_". */
#ifndef CORE_PUBLISHED_H
#define CORE_PUBLISHED_H

/* Always there where an aggregator has written: a hash without any field is a wiped Redis, and says
 * nothing about the sites; one with only this field says that there are none. */
#define PUBLISHED_MARK "/published"

/* A campaign redirect, by its address at the collector: "/r/<slug>" -> {"site":7,"target":"https://
 * .."}. */
#define PUBLISHED_LINK "/r/"

#endif
