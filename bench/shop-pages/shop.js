/* The demonstration shop: a basket in sessionStorage, and what any shop would tell Corong.
 *
 * The parts to copy are the calls of tell(): add_to_cart, checkout, sale and its items. Page views
 * need nothing: the snippet counts them by itself. */
'use strict';

// Until the snippet has loaded, calls wait here.
window.corong =
  window.corong ||
  function () {
    (window.corong.q = window.corong.q || []).push(arguments);
  };

const CURRENCY = 'SGD';
const products = {
  'jasmine-pearls': { title: 'Jasmine Pearls', category: 'tea', price: 18.5 },
  'highland-black': { title: 'Highland Black', category: 'tea', price: 12.9 },
  'smoked-souchong': { title: 'Smoked Souchong', category: 'tea', price: 15.75 },
  'jade-teapot': { title: 'Jade Teapot', category: 'teaware', price: 64 },
  'travel-flask': { title: 'Travel Flask', category: 'teaware', price: 29.5 },
  'clay-cups': { title: 'Clay Cups', category: 'teaware', price: 38 },
};

/* ---- what the shop remembers, for this tab only ---- */

function recall(key, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(key)) || otherwise;
  } catch {
    return otherwise;
  }
}

function remember(key, value) {
  try {
    sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // storage is blocked: the basket lasts as long as the page
  }
}

const basket = recall('basket', {}); // sku: quantity

const cents = (sku, quantity) => Math.round(products[sku].price * 100) * quantity;
const total = lines =>
  Object.entries(lines).reduce((sum, [sku, quantity]) => sum + cents(sku, quantity), 0);
const money = amount => `S$ ${(amount / 100).toFixed(2)}`;

const line = (sku, quantity) => ({
  product: sku,
  category: products[sku].category,
  quantity,
  value: cents(sku, quantity) / 100,
  currency: CURRENCY,
});

/* ---- what Corong is told ---- */

function tell(event, attributes) {
  window.corong(event, attributes);
  show(event);
}

function show(event) {
  const told = document.querySelector('.told');
  if (told) told.textContent += (told.textContent ? ' \u00b7 ' : 'told Corong: ') + event;
}

function addToBasket(sku) {
  basket[sku] = (basket[sku] || 0) + 1;
  remember('basket', basket);
  tell('add_to_cart', line(sku, 1));
  showCount();
}

function sell(order, lines) {
  tell('sale', { order, value: total(lines) / 100, currency: CURRENCY });
  for (const [sku, quantity] of Object.entries(lines))
    tell('item', { order, ...line(sku, quantity) });
}

/* ---- pages ---- */

const byId = id => document.getElementById(id);

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function showCount() {
  const n = Object.values(basket).reduce((sum, quantity) => sum + quantity, 0);
  document.querySelector('.count').textContent = n || '';
}

function fillTable(table, lines, isEditable) {
  const body = table.tBodies[0];
  body.replaceChildren();
  for (const [sku, quantity] of Object.entries(lines)) {
    const row = element(
      'tr',
      {},
      element('td', {}, products[sku].title),
      element('td', { className: 'number' }, String(quantity)),
      element('td', { className: 'number' }, money(cents(sku, quantity)))
    );
    if (isEditable) {
      const remove = element('button', { className: 'quiet', type: 'button' }, 'Remove');
      remove.setAttribute('aria-label', `Remove ${products[sku].title}`);
      remove.addEventListener('click', () => {
        delete basket[sku];
        remember('basket', basket);
        showCount();
        showCart();
      });
      row.append(element('td', { className: 'number' }, remove));
    }
    body.append(row);
  }
  table.querySelector('.total').textContent = money(total(lines));
}

function showCart() {
  const isEmpty = !Object.keys(basket).length;
  byId('empty').hidden = !isEmpty;
  byId('full').hidden = isEmpty;
  if (!isEmpty) fillTable(byId('lines'), basket, true);
}

function showProduct() {
  const button = byId('add');
  button.addEventListener('click', () => {
    addToBasket(button.dataset.sku);
    byId('added').hidden = false;
  });
}

function showCheckout() {
  // Who comes out of the newsletter finds the tea of last time in the basket.
  if (!Object.keys(basket).length && location.search.includes('utm_source=newsletter')) {
    basket['jasmine-pearls'] = 1;
    remember('basket', basket);
    showCount();
  }
  const isEmpty = !Object.keys(basket).length;
  byId('empty').hidden = !isEmpty;
  byId('full').hidden = isEmpty;
  if (isEmpty) return;
  fillTable(byId('lines'), basket, false);
  tell('checkout', { value: total(basket) / 100, currency: CURRENCY });
  byId('pay').addEventListener('submit', submit => {
    submit.preventDefault();
    remember('order', { number: `demo-${Date.now()}`, lines: basket });
    remember('basket', {});
    location.href = 'thanks.html';
  });
}

function showThanks() {
  const order = recall('order', null);
  if (!order) return;
  remember('order', null); // told once, also when the page is loaded again
  byId('number').textContent = order.number;
  byId('ordered').hidden = false;
  sell(order.number, order.lines);
}

/* ---- the bar at the foot: other ways to come in ---- */

const ways = [
  [
    'an ad for \u201cjade teapot\u201d',
    'product-jade-teapot.html',
    'google',
    'cpc',
    'teapot-gifts',
    'jade teapot',
  ],
  ['a prize draw on TikTok', './', 'tiktok', 'paid_social', 'win-a-teapot'],
  ['the newsletter', 'checkout.html', 'newsletter', 'email', 'refill-by-mail'],
];

function showFoot() {
  const bar = element('div', {}, 'Come in through');
  for (const [text, page, source, medium, campaign, keyword] of ways) {
    const query = new URLSearchParams({
      utm_source: source,
      utm_medium: medium,
      utm_campaign: campaign,
      ...(keyword && { utm_term: keyword }),
    });
    bar.append(element('a', { href: `${page}?${query}` }, text));
  }
  const renew = element('button', { type: 'button', className: 'quiet' }, 'or be somebody new');
  renew.addEventListener('click', () => {
    try {
      window.corong('reset');
      sessionStorage.clear();
    } catch {
      // storage is blocked: every page is somebody new anyway
    }
    location.href = './';
  });
  bar.append(renew, element('span', { className: 'told' }));
  bar.lastChild.setAttribute('role', 'status');
  document.querySelector('.foot').append(bar);
}

const pages = {
  product: showProduct,
  cart: showCart,
  checkout: showCheckout,
  thanks: showThanks,
};

showFoot();
show('pageview');
showCount();
pages[document.querySelector('main').dataset.page]?.();
