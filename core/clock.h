/* Time: int64 ms since the epoch (UTC) for events, a steady clock for waiting. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <pthread.h>
#include <stdint.h>

int64_t clock_wall_ms(void);
int64_t clock_steady_ms(void);
int64_t clock_steady_us(void);
void clock_sleep_ms(int64_t ms);

/* A condition whose waits end by the steady clock, whatever happens to the wall's. A wait may end
 * for nothing, before its time too: look again at what is waited for. */
void clock_cond_init(pthread_cond_t *cond);
void clock_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t ms);

/* Tests only: freeze the wall clock at ms; a negative value gives the system's back. */
void clock_set_wall_ms(int64_t ms);

#endif
