/* The start: who called before the script was there, the first page, and what wakes the queue. */
const start = () => {
  view();
  stub?.q?.forEach(call => corong(...call));

  ['pushState', 'replaceState'].forEach(name => {
    const original = history[name];
    history[name] = (...call) => {
      original.apply(history, call);
      view();
    };
  });
  listen('pageshow popstate online visibilitychange', view);
  setInterval(view, TIMER_MS);
};

window.corong = Object.assign(corong, stub, api);
// A page that is only rendered ahead is not seen yet.
if (document.prerendering) listen('prerenderingchange', start);
else start();
