// Reference reports of the real traffic, bots included: [window, preset, [entered, reached,
// skipped, exits]]. The sequential rows equal ClickHouse's windowFunnel.
const row = (window, preset, entered, reached, skipped, exits) =>
  [window, preset, [entered, reached, skipped, exits]];

export const SHOPS = {
  puffy: ["page_viewed", "product_added_to_cart", "checkout_started", "checkout_completed"],
  retentioneering: ["product_view", "add_to_cart", "shipping_details", "payment_details", "purchase"],
};

export const reference = {
  puffy: [
    row("7d", "sequential", 33866, [33866, 768, 162, 118], [0, 0, 0, 0], [33098, 606, 44, 118]),
    row("7d", "closed", 33866, [33866, 757, 387, 224], [0, 296, 99, 0], [32813, 567, 262, 224]),
    row("7d", "open", 34957, [33416, 1943, 719, 285], [1541, 620, 154, 0], [32394, 1690, 588, 285]),
    row("30m", "sequential", 33866, [33866, 645, 139, 101], [0, 0, 0, 0], [33221, 506, 38, 101]),
    row("30m", "closed", 33866, [33866, 618, 338, 214], [0, 282, 95, 0], [32966, 467, 219, 214]),
    row("30m", "open", 34957, [33251, 1901, 715, 285], [1706, 662, 158, 0], [32394, 1690, 588, 285]),
  ],
  retentioneering: [
    row("7d", "sequential", 598, [598, 487, 333, 190, 70], [0, 0, 0, 0, 0], [111, 154, 143, 120, 70]),
    row("7d", "closed", 598, [598, 385, 255, 207, 304], [0, 118, 172, 167, 0], [95, 76, 53, 70, 304]),
    row("7d", "open", 598, [486, 428, 282, 215, 328], [112, 94, 159, 175, 0], [76, 81, 51, 62, 328]),
    row("30m", "sequential", 598, [598, 480, 299, 136, 35], [0, 0, 0, 0, 0], [118, 181, 163, 101, 35]),
    row("30m", "closed", 598, [598, 347, 228, 191, 298], [0, 152, 196, 177, 0], [99, 75, 56, 70, 298]),
    row("30m", "open", 598, [450, 405, 258, 204, 328], [148, 117, 183, 186, 0], [76, 81, 51, 62, 328]),
  ],
};
