/* The start: who called before the script was there, the first page, and what wakes the queue. */
const start = () => {
  view();
  stub.q?.forEach(call => track(...call));

  ['pushState', 'replaceState'].forEach(name => {
    const original = history[name];
    history[name] = (...call) => {
      original.apply(history, call);
      view();
    };
  });
  listen('popstate', view);
  listen('pageshow', ({ persisted }) => {
    if (persisted) {
      page = 0; // came back out of the back/forward cache: seen again
      view();
    }
  });
  listen('online', () => flush(0));
  listen('visibilitychange', retry);
  setInterval(retry, TIMER_MS);
};

window.corong = Object.assign(track, stub, api);
// A page that is only rendered ahead is not seen yet.
if (document.prerendering) listen('prerenderingchange', start);
else start();
