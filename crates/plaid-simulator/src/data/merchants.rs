//! Where test users spend money: the shops of Plaid's Sandbox samples, and some more of our own.

/// A shop, and how Plaid's transactions describe it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Merchant {
    /// What the bank's statement says.
    pub(super) raw: &'static str,
    /// The name that Plaid makes of it.
    pub(super) name: &'static str,
    /// Of the taxonomy at <https://plaid.com/documents/transactions-personal-finance-category-taxonomy.csv>.
    pub(super) primary: &'static str,
    pub(super) detailed: &'static str,
    /// `online`, `in store` or `other`.
    pub(super) channel: &'static str,
    /// Prices in cents.
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) website: Option<&'static str>,
    pub(super) city: Option<(&'static str, &'static str)>,
}

const fn shop(
    raw: &'static str,
    name: &'static str,
    (primary, detailed): (&'static str, &'static str),
    (from, to): (i64, i64),
) -> Merchant {
    Merchant {
        raw,
        name,
        primary,
        detailed,
        channel: "in store",
        from,
        to,
        website: None,
        city: Some(("San Francisco", "CA")),
    }
}

const fn online(shop: Merchant, website: &'static str) -> Merchant {
    Merchant {
        channel: "online",
        website: Some(website),
        city: None,
        ..shop
    }
}

const FAST_FOOD: (&str, &str) = ("FOOD_AND_DRINK", "FOOD_AND_DRINK_FAST_FOOD");
const COFFEE: (&str, &str) = ("FOOD_AND_DRINK", "FOOD_AND_DRINK_COFFEE");
const RESTAURANT: (&str, &str) = ("FOOD_AND_DRINK", "FOOD_AND_DRINK_RESTAURANT");
const GROCERIES: (&str, &str) = ("FOOD_AND_DRINK", "FOOD_AND_DRINK_GROCERIES");
const RIDES: (&str, &str) = ("TRANSPORTATION", "TRANSPORTATION_TAXIS_AND_RIDE_SHARES");
const GAS: (&str, &str) = ("TRANSPORTATION", "TRANSPORTATION_GAS");
const TRANSIT: (&str, &str) = ("TRANSPORTATION", "TRANSPORTATION_PUBLIC_TRANSIT");
const FLIGHTS: (&str, &str) = ("TRAVEL", "TRAVEL_FLIGHTS");
const GYM: (&str, &str) = ("PERSONAL_CARE", "PERSONAL_CARE_GYMS_AND_FITNESS_CENTERS");
const HAIR: (&str, &str) = ("PERSONAL_CARE", "PERSONAL_CARE_HAIR_AND_BEAUTY");
const SPORTING: (&str, &str) = ("GENERAL_MERCHANDISE", "GENERAL_MERCHANDISE_SPORTING_GOODS");
const ELECTRONICS: (&str, &str) = ("GENERAL_MERCHANDISE", "GENERAL_MERCHANDISE_ELECTRONICS");
const MARKETPLACE: (&str, &str) = ("GENERAL_MERCHANDISE", "GENERAL_MERCHANDISE_ONLINE_MARKETPLACES");
const BOOKS: (&str, &str) = (
    "GENERAL_MERCHANDISE",
    "GENERAL_MERCHANDISE_BOOKSTORES_AND_NEWSSTANDS",
);
const PHARMACY: (&str, &str) = ("MEDICAL", "MEDICAL_PHARMACIES_AND_SUPPLEMENTS");
const HARDWARE: (&str, &str) = ("HOME_IMPROVEMENT", "HOME_IMPROVEMENT_HARDWARE");
const MOVIES: (&str, &str) = ("ENTERTAINMENT", "ENTERTAINMENT_TV_AND_MOVIES");
const MUSIC: (&str, &str) = ("ENTERTAINMENT", "ENTERTAINMENT_MUSIC_AND_AUDIO");

/// Everyday shops; ones that are named twice are visited more often.
#[rustfmt::skip]
pub(super) static SHOPS: &[Merchant] = &[
    shop("McDonald's #3322", "McDonald's", FAST_FOOD, (640, 1_850)),
    shop("KFC 00417", "KFC", FAST_FOOD, (890, 2_400)),
    shop("STARBUCKS STORE 05512", "Starbucks", COFFEE, (325, 980)),
    shop("TST* BILLABONG COFFEE", "Billabong Coffee", COFFEE, (380, 1_120)),
    shop("PLATYPUS DINER SF", "Platypus Diner", RESTAURANT, (1_850, 7_400)),
    shop("NOODLE CORNER 12", "Noodle Corner", RESTAURANT, (1_200, 4_100)),
    shop("GREEN BASKET MKT 0031", "Green Basket Market", GROCERIES, (1_900, 9_800)),
    shop("GREEN BASKET MKT 0044", "Green Basket Market", GROCERIES, (2_400, 13_500)),
    shop("RIVERBEND FOODS", "Riverbend Foods", GROCERIES, (900, 6_200)),
    online(shop("Uber 072515 SF**POOL**", "Uber", RIDES, (540, 3_300)), "uber.com"),
    online(shop("Uber 063015 SF**POOL**", "Uber", RIDES, (633, 2_800)), "uber.com"),
    shop("TARTAN FUEL 118", "Tartan Fuel", GAS, (2_900, 6_900)),
    shop("BAY TRANSIT GATE 7", "Bay Transit", TRANSIT, (250, 550)),
    online(shop("United Airlines 0167", "United Airlines", FLIGHTS, (18_900, 62_000)), "united.com"),
    shop("Touchstone Climbing", "Touchstone Climbing", GYM, (7_850, 7_850)),
    shop("CLIP AND COMB", "Clip and Comb", HAIR, (2_800, 6_400)),
    shop("Madison Bicycle Shop", "Madison Bicycle Shop", SPORTING, (1_500, 50_000)),
    online(shop("SparkFun", "SparkFun", ELECTRONICS, (890, 8_940)), "sparkfun.com"),
    online(shop("GINGHAM MARKET*7H2K", "Gingham Market", MARKETPLACE, (1_050, 11_900)), "gingham.example"),
    shop("FOLIO BOOKS", "Folio Books", BOOKS, (900, 4_200)),
    shop("HOUNDSTOOTH PHARMACY", "Houndstooth Pharmacy", PHARMACY, (600, 5_400)),
    shop("OAK & NAIL HARDWARE", "Oak & Nail Hardware", HARDWARE, (700, 14_000)),
    online(shop("REELHOUSE.EXAMPLE", "Reelhouse", MOVIES, (399, 1_599)), "reelhouse.example"),
    online(shop("TUNEPOND 8005550199", "Tunepond", MUSIC, (129, 1_099)), "tunepond.example"),
];
