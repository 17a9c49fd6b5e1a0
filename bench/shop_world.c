/* The shop's world: where people are, what they use, what is sold, what brings them, and when.
 * Weights are relative within their table; words are the collector's (agent.c, driver_table.c). */
#include "bench/shop_int.h"

const struct shop_place shop_places[] = {
    {190, "AS", "SG", "SG-01", "Singapore", "en-SG"},
    {120, "AS", "ID", "ID-JK", "Jakarta", "id-ID"},
    {70, "AS", "ID", "ID-JB", "Bandung", "id-ID"},
    {62, "AS", "MY", "MY-14", "Kuala Lumpur", "ms-MY"},
    {55, "AS", "ID", "ID-JI", "Surabaya", "id-ID"},
    {48, "AS", "MY", "MY-10", "Petaling Jaya", "ms-MY"},
    {40, "AS", "ID", "ID-BA", "Denpasar", "id-ID"},
    {36, "OC", "AU", "AU-NSW", "Sydney", "en-AU"},
    {34, "NA", "US", "US-CA", "Los Angeles", "en-US"},
    {33, "AS", "ID", "ID-BT", "Tangerang", "id-ID"},
    {31, "OC", "AU", "AU-VIC", "Melbourne", "en-AU"},
    {30, "EU", "GB", "GB-ENG", "London", "en-GB"},
    {28, "AS", "MY", "MY-07", "George Town", "ms-MY"},
    {26, "AS", "PH", "PH-00", "Manila", "en-PH"},
    {25, "AS", "TH", "TH-10", "Bangkok", "th-TH"},
    {24, "NA", "US", "US-NY", "New York", "en-US"},
    {22, "EU", "DE", "DE-BE", "Berlin", "de-DE"},
    {20, "AS", "VN", "VN-SG", "Ho Chi Minh City", "vi-VN"},
    {19, "AS", "MY", "MY-01", "Johor Bahru", "ms-MY"},
    {18, "AS", "ID", "ID-SU", "Medan", "id-ID"},
    {17, "AS", "JP", "JP-13", "Tokyo", "ja-JP"},
    {16, "EU", "NL", "NL-NH", "Amsterdam", "nl-NL"},
    {15, "AS", "TW", "TW-TPE", "Taipei", "zh-TW"},
    {14, "AS", "HK", "", "Hong Kong", "zh-HK"},
    {14, "EU", "PL", "PL-14", "Warsaw", "pl-PL"},
    {13, "NA", "US", "US-TX", "Austin", "en-US"},
    {12, "AS", "ID", "ID-YO", "Yogyakarta", "id-ID"},
    {12, "EU", "FR", "FR-IDF", "Paris", "fr-FR"},
    {11, "OC", "NZ", "NZ-AUK", "Auckland", "en-NZ"},
    {11, "NA", "CA", "CA-ON", "Toronto", "en-CA"},
    {10, "EU", "DE", "DE-BY", "Munich", "de-DE"},
    {9, "AS", "KR", "KR-11", "Seoul", "ko-KR"},
    {9, "AS", "IN", "IN-MH", "Mumbai", "en-IN"},
    {8, "AS", "MY", "MY-13", "Kuching", "ms-MY"},
    {8, "OC", "AU", "AU-QLD", "Brisbane", "en-AU"},
    {7, "EU", "PL", "PL-12", "Krakow", "pl-PL"},
    {7, "NA", "CA", "CA-BC", "Vancouver", "en-CA"},
    {6, "AS", "BN", "BN-BM", "Bandar Seri Begawan", "ms-BN"},
    {6, "EU", "GB", "GB-SCT", "Edinburgh", "en-GB"},
    {5, "SA", "BR", "BR-SP", "Sao Paulo", "pt-BR"},
    {4, "AF", "ZA", "ZA-WC", "Cape Town", "en-ZA"},
    {0, NULL, NULL, NULL, NULL, NULL},
};

const struct shop_agent shop_agents[] = {
    {310, true, "mobile", "Android", "Chrome Mobile"},
    {190, true, "mobile", "iOS", "Mobile Safari"},
    {45, true, "mobile", "Android", "Samsung Internet"},
    {190, false, "desktop", "Windows", "Chrome"},
    {75, false, "desktop", "Windows", "Edge"},
    {65, false, "desktop", "Mac OS X", "Safari"},
    {45, false, "desktop", "Mac OS X", "Chrome"},
    {30, false, "desktop", "Windows", "Firefox"},
    {12, false, "desktop", "Linux", "Firefox"},
    {28, false, "tablet", "iOS", "Mobile Safari"},
    {10, false, "tablet", "Android", "Chrome"},
    {0, false, NULL, NULL, NULL},
};

const struct shop_product shop_products[] = {
    {26, "jasmine-pearls", "Jasmine Pearls", "tea", "/shop/tea.html", 1850},
    {22, "highland-black", "Highland Black", "tea", "/shop/tea.html", 1290},
    {18, "jade-teapot", "Jade Teapot", "teaware", "/shop/teaware.html", 6400},
    {13, "travel-flask", "Travel Flask", "teaware", "/shop/teaware.html", 2950},
    {12, "smoked-souchong", "Smoked Souchong", "tea", "/shop/tea.html", 1575},
    {9, "clay-cups", "Clay Cups", "teaware", "/shop/teaware.html", 3800},
    {0, NULL, NULL, NULL, NULL, 0},
};

static const char *const brand_words[] = {"kedai teh", "kedai teh shop", "shop.example", NULL};
static const char *const tea_words[] = {
    "jasmine tea", "buy loose leaf tea", "black tea online", "jasmine pearls",
    "teh melati",  "smoked tea",         "tea delivery",     NULL};
static const char *const pot_words[] = {"jade teapot",      "teapot gift",  "clay tea cups",
                                        "travel tea flask", "teko keramik", NULL};

const struct shop_driver shop_drivers[] = {
    {.weight = 230, .landing = LAND_HOME, .bounce = 3600, .to_cart = 1500},
    {.weight = 190,
     .landing = LAND_PRODUCT,
     .bounce = 4200,
     .to_cart = 1300,
     .channel = "organic search",
     .source = "google",
     .medium = "organic",
     .referrer = "https://www.google.com/"},
    {.weight = 36,
     .landing = LAND_CATEGORY,
     .bounce = 4300,
     .to_cart = 1250,
     .channel = "organic search",
     .source = "bing",
     .medium = "organic",
     .referrer = "https://www.bing.com/"},
    {.weight = 62,
     .landing = LAND_HOME,
     .bounce = 2500,
     .to_cart = 2500,
     .channel = "paid search",
     .source = "google",
     .medium = "cpc",
     .campaign = "brand",
     .keywords = brand_words,
     .referrer = "https://www.google.com/"},
    {.weight = 84,
     .landing = LAND_CATEGORY,
     .bounce = 4400,
     .to_cart = 1500,
     .channel = "paid search",
     .source = "google",
     .medium = "cpc",
     .campaign = "tea-search",
     .keywords = tea_words,
     .referrer = "https://www.google.com/"},
    {.weight = 58,
     .landing = LAND_PRODUCT,
     .bounce = 4000,
     .to_cart = 1700,
     .channel = "paid search",
     .source = "google",
     .medium = "cpc",
     .campaign = "teapot-gifts",
     .keywords = pot_words,
     .referrer = "https://www.google.com/"},
    {.weight = 400,
     .rhythm = RHYTHM_BURST,
     .landing = LAND_HOME,
     .bounce = 6800,
     .to_cart = 90,
     .never_buys = true,
     .channel = "paid social",
     .source = "tiktok",
     .medium = "paid_social",
     .campaign = "win-a-teapot",
     .content = "video-15s",
     .referrer = "https://www.tiktok.com/"},
    {.weight = 74,
     .landing = LAND_PRODUCT,
     .bounce = 5100,
     .to_cart = 900,
     .channel = "paid social",
     .source = "instagram",
     .medium = "paid_social",
     .campaign = "slow-mornings",
     .content = "carousel",
     .referrer = "https://l.instagram.com/"},
    {.weight = 46,
     .landing = LAND_HOME,
     .bounce = 5600,
     .to_cart = 700,
     .channel = "social",
     .source = "instagram",
     .medium = "social",
     .referrer = "https://l.instagram.com/"},
    {.weight = 40,
     .rhythm = RHYTHM_MAIL,
     .landing = LAND_CHECKOUT,
     .bounce = 1800,
     .to_cart = 10000,
     .channel = "email",
     .source = "newsletter",
     .medium = "email",
     .campaign = "refill-by-mail"},
    {.weight = 30,
     .landing = LAND_PRODUCT,
     .bounce = 4500,
     .to_cart = 1500,
     .channel = "referral",
     .source = "tea-notes.example",
     .medium = "referral",
     .referrer = "https://tea-notes.example/best-jasmine"},
    {.weight = 22,
     .landing = LAND_CATEGORY,
     .bounce = 4800,
     .to_cart = 1350,
     .channel = "affiliate",
     .source = "cupfinder",
     .medium = "affiliate",
     .campaign = "partners",
     .referrer = "https://cupfinder.example/"},
    {.weight = 24,
     .landing = LAND_PRODUCT,
     .bounce = 3300,
     .to_cart = 2100,
     .channel = "ai assistant",
     .source = "chatgpt",
     .medium = "ai",
     .referrer = "https://chatgpt.com/"},
    {.weight = 0},
};

/* A shop's week: evenings and weekends, little in the small hours, Thursdays with the mail. */
const uint8_t shop_hour_weights[7][24] = {
    {12, 8, 5, 4, 4, 6, 12, 22, 32, 38, 40, 42, 46, 44, 40, 38, 38, 40, 46, 58, 66, 64, 48, 26},
    {12, 8, 5, 4, 4, 6, 12, 22, 32, 38, 40, 42, 46, 44, 40, 38, 38, 40, 46, 58, 66, 64, 48, 26},
    {12, 8, 5, 4, 4, 6, 12, 22, 32, 38, 40, 42, 46, 44, 40, 38, 38, 40, 46, 58, 66, 64, 48, 26},
    {12, 8, 5, 4, 4, 6, 12, 24, 40, 52, 54, 50, 50, 46, 42, 40, 40, 42, 48, 60, 66, 64, 48, 28},
    {14, 9, 6, 4, 4, 6, 11, 20, 30, 36, 38, 40, 44, 42, 38, 36, 36, 38, 42, 50, 56, 56, 48, 34},
    {22, 14, 9, 6, 5, 6, 9, 16, 28, 42, 54, 60, 62, 60, 58, 56, 54, 52, 52, 56, 60, 58, 48, 34},
    {24, 15, 9, 6, 5, 6, 9, 16, 28, 44, 56, 62, 64, 62, 60, 58, 56, 56, 60, 68, 74, 68, 50, 26},
};

uint32_t
shop__driver_weight(const struct shop_driver *d, enum bench_shop_profile p, int64_t week,
                    int weekday)
{
    static const uint32_t mail[7] = {0, 0, 0, 6,
                                     2, 1, 0}; /* sent on Thursday, read till Saturday */

    switch (d->rhythm) {
    case RHYTHM_EVEN:
        return d->weight;
    case RHYTHM_MAIL:
        return d->weight * mail[weekday];
    case RHYTHM_BURST:
        if (p == BENCH_SHOP_TABLE || p == BENCH_SHOP_PEOPLE)
            return d->weight / 8; /* one campaign among many */
        return p == BENCH_SHOP_LOAD || shop__week_has_burst(week) ? d->weight : 0;
    }
    return 0;
}

bool
shop__week_has_burst(int64_t week)
{
    return week >= 3 && week <= 7;
}
