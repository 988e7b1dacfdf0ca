-- The one account of each asset that orders and pools hold their money in.
CREATE TABLE escrow_accounts (
    asset INTEGER NOT NULL,
    account BLOB NOT NULL,
    PRIMARY KEY (asset)
) STRICT, WITHOUT ROWID;

-- Every order ever made. What it holds of the asset's account is held_minor; an ended one holds nothing.
CREATE TABLE escrow_orders (
    id BLOB NOT NULL,
    number INTEGER NOT NULL,
    buyer BLOB NOT NULL,
    seller BLOB NOT NULL,
    asset INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    held_minor INTEGER NOT NULL,
    seller_minor INTEGER NOT NULL,
    buyer_minor INTEGER NOT NULL,
    state TEXT NOT NULL,
    silence TEXT NOT NULL,
    silence_s INTEGER NOT NULL,
    inspect_s INTEGER NOT NULL,
    carrier BLOB,
    carrier_key BLOB,
    code BLOB,
    funded_ns INTEGER NOT NULL,
    deadline_ns INTEGER NOT NULL,
    timer INTEGER NOT NULL,
    evidence INTEGER NOT NULL,
    note BLOB,
    PRIMARY KEY (id),
    UNIQUE (number)
) STRICT, WITHOUT ROWID;

CREATE INDEX escrow_orders_by_buyer ON escrow_orders (buyer, number);
CREATE INDEX escrow_orders_by_seller ON escrow_orders (seller, number);
CREATE INDEX escrow_orders_by_state ON escrow_orders (state, number);

CREATE TABLE escrow_milestones (
    order_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    share_minor INTEGER NOT NULL,
    label BLOB,
    accepted_ns INTEGER,
    PRIMARY KEY (order_id, number)
) STRICT, WITHOUT ROWID;

-- What happened to an order, one line each: its timeline and its evidence.
CREATE TABLE escrow_steps (
    order_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    step TEXT NOT NULL,
    party BLOB NOT NULL,
    detail TEXT NOT NULL,
    text BLOB,
    seller_minor INTEGER NOT NULL,
    buyer_minor INTEGER NOT NULL,
    PRIMARY KEY (order_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE escrow_pools (
    pool BLOB NOT NULL,
    number INTEGER NOT NULL,
    maker BLOB NOT NULL,
    asset INTEGER NOT NULL,
    price_minor INTEGER NOT NULL,
    places_min INTEGER NOT NULL,
    places_max INTEGER NOT NULL,
    places INTEGER NOT NULL,
    members INTEGER NOT NULL,
    held_minor INTEGER NOT NULL,
    maker_minor INTEGER NOT NULL,
    state TEXT NOT NULL,
    until_ns INTEGER NOT NULL,
    timer INTEGER NOT NULL,
    note BLOB,
    PRIMARY KEY (pool),
    UNIQUE (number)
) STRICT, WITHOUT ROWID;

CREATE INDEX escrow_pools_by_state ON escrow_pools (state, number);
CREATE INDEX escrow_pools_by_maker ON escrow_pools (maker, number);

CREATE TABLE escrow_pool_stages (
    pool BLOB NOT NULL,
    number INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    share_minor INTEGER NOT NULL,
    label BLOB,
    places_for INTEGER NOT NULL,
    accepted_ns INTEGER,
    PRIMARY KEY (pool, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE escrow_pool_members (
    pool BLOB NOT NULL,
    buyer BLOB NOT NULL,
    places INTEGER NOT NULL,
    paid_minor INTEGER NOT NULL,
    payment BLOB NOT NULL,
    paid_ns INTEGER NOT NULL,
    PRIMARY KEY (pool, buyer)
) STRICT, WITHOUT ROWID;

CREATE INDEX escrow_pool_members_by_buyer ON escrow_pool_members (buyer, pool);

CREATE TABLE escrow_pool_votes (
    pool BLOB NOT NULL,
    number INTEGER NOT NULL,
    buyer BLOB NOT NULL,
    PRIMARY KEY (pool, number, buyer)
) STRICT, WITHOUT ROWID;

-- Money that is somebody's but could not be paid to them.
CREATE TABLE escrow_owed (
    owed BLOB NOT NULL,
    party BLOB NOT NULL,
    counterparty BLOB NOT NULL,
    reference BLOB NOT NULL,
    asset INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    kind TEXT NOT NULL,
    why TEXT NOT NULL,
    since_ns INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    timer INTEGER NOT NULL,
    PRIMARY KEY (owed)
) STRICT, WITHOUT ROWID;

CREATE INDEX escrow_owed_by_party ON escrow_owed (party, owed);
