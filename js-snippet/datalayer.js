/* corong-datalayer.js: a shop that tells Google Analytics 4 tells Corong, with no code of its own.
 *
 *   <script defer src="https://stats.shop.example/corong-datalayer.js"></script>
 *
 * Both ways of writing are read, those from before the script was there included:
 *
 *   dataLayer.push({event: 'purchase', ecommerce: {transaction_id, value, currency, items}})
 *   gtag('event', 'purchase', {transaction_id, value, currency, items})    which pushes arguments
 *
 * It only watches: what is pushed goes on as it is. The layer's name, where it is another: data-layer.
 */
(() => {
  const NAMES = {
    __proto__: null,
    view_item: 'view_item',
    add_to_cart: 'add_to_cart',
    begin_checkout: 'checkout',
    purchase: 'sale',
  };
  const { layer = 'dataLayer' } = document.currentScript ? document.currentScript.dataset : {};
  const entries = (window[layer] = window[layer] || []);
  const push = entries.push;

  if (typeof window.corong != 'function')
    window.corong = function () {
      (window.corong.q = window.corong.q || []).push(arguments);
    };

  // Shops compute with floats and taxes; the collector refuses parts of a cent. Digits as in
  // ISO 4217: Intl's are those that people print, which for HUF or IDR are none.
  const WHOLE = /BIF|CLP|DJF|GNF|ISK|JPY|KMF|KRW|PYG|RWF|UGX|UYI|VND|VUV|XAF|XOF|XPF/i;
  const THOUSANDTHS = /BHD|IQD|JOD|KWD|LYD|OMR|TND/i;
  const money = (amount, currency) => {
    if (amount == null) return;
    return +(+amount).toFixed(WHOLE.test(currency) ? 0 : THOUSANDTHS.test(currency) ? 3 : 2);
  };

  const take = entry => {
    const [word, given, parameters] = Array.from(entry);
    const name = NAMES[word == 'event' ? given : entry.event];
    if (!name) return;
    const data = (word == 'event' ? parameters : entry.ecommerce || entry) || {};
    const { currency, transaction_id: order, items } = data;
    const lines = (items || []).map(item => {
      const quantity = +(item.quantity || 1);
      return {
        product: item.item_id || item.id || item.item_name || item.name,
        category: item.item_category || item.category,
        quantity,
        value: money(item.price && item.price * quantity, currency),
        currency,
      };
    });
    const whole = { value: money(data.value, currency), currency };

    if (name == 'sale') window.corong(name, { order, ...whole, items: lines });
    else if (name == 'checkout' || !lines[0]) window.corong(name, whole);
    else lines.forEach(line => window.corong(name, line));
  };

  const watch = entry => {
    try {
      take(entry);
    } catch (e) {
      console.error(e); // not what GA4 would understand either: the page must not suffer
    }
  };

  entries.forEach(watch);
  entries.push = function (...added) {
    const length = push.apply(this, added);
    added.forEach(watch);
    return length;
  };
})();
