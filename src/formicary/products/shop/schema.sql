-- Shops. What they are called lives in the vault.
CREATE TABLE shop_shops (
    shop BLOB NOT NULL,
    state TEXT NOT NULL,
    country TEXT NOT NULL,
    category INTEGER NOT NULL,
    tariff TEXT NOT NULL,
    opened_ns INTEGER NOT NULL,
    settle_days INTEGER NOT NULL,
    settle_ref BLOB,
    settle_party BLOB,
    cut_minute INTEGER NOT NULL,
    cut_timer INTEGER,
    reports INTEGER NOT NULL,
    PRIMARY KEY (shop)
) STRICT, WITHOUT ROWID;

CREATE TABLE shop_aliases (
    alias BLOB NOT NULL,
    shop BLOB NOT NULL,
    PRIMARY KEY (alias)
) STRICT, WITHOUT ROWID;

-- One account of the kernel for each currency that a shop takes.
CREATE TABLE shop_accounts (
    shop BLOB NOT NULL,
    asset INTEGER NOT NULL,
    account BLOB NOT NULL,
    PRIMARY KEY (shop, asset)
) STRICT, WITHOUT ROWID;

CREATE TABLE shop_staff (
    shop BLOB NOT NULL,
    person BLOB NOT NULL,
    role TEXT NOT NULL,
    since_ns INTEGER NOT NULL,
    PRIMARY KEY (shop, person)
) STRICT, WITHOUT ROWID;

CREATE INDEX shop_staff_by_person ON shop_staff (person, shop);

CREATE TABLE shop_tills (
    till BLOB NOT NULL,
    shop BLOB NOT NULL,
    label BLOB,
    tip TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (till)
) STRICT, WITHOUT ROWID;

CREATE INDEX shop_tills_by_shop ON shop_tills (shop, till);

-- Every tariff that is, was, and is announced; the newest that has begun counts.
CREATE TABLE shop_tariffs (
    name TEXT NOT NULL,
    asset INTEGER NOT NULL,
    from_ns INTEGER NOT NULL,
    fixed_minor INTEGER NOT NULL,
    rate_per_100000 INTEGER NOT NULL,
    PRIMARY KEY (name, asset, from_ns)
) STRICT, WITHOUT ROWID;

-- An order is open, held, paid or withdrawn; an open one whose time is over is expired, without a timer.
CREATE TABLE shop_orders (
    order_id BLOB NOT NULL,
    shop BLOB NOT NULL,
    till BLOB,
    asset INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    tip TEXT NOT NULL,
    tip_value INTEGER NOT NULL,
    number TEXT NOT NULL,
    until_ns INTEGER NOT NULL,
    many INTEGER NOT NULL,
    exits INTEGER NOT NULL,
    state TEXT NOT NULL,
    made_ns INTEGER NOT NULL,
    payment BLOB,
    PRIMARY KEY (order_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX shop_orders_by_shop ON shop_orders (shop, made_ns, order_id);

-- Every payment to a shop, under the id of its transfer: paid, held by the guard, or returned by it.
CREATE TABLE shop_sales (
    payment BLOB NOT NULL,
    shop BLOB NOT NULL,
    till BLOB,
    order_id BLOB,
    payer BLOB NOT NULL,
    asset INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    tip_minor INTEGER NOT NULL,
    fee_minor INTEGER NOT NULL,
    refunded_minor INTEGER NOT NULL,
    fee_back_minor INTEGER NOT NULL,
    number TEXT NOT NULL,
    state TEXT NOT NULL,
    paid_ns INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (payment)
) STRICT, WITHOUT ROWID;

CREATE INDEX shop_sales_by_time ON shop_sales (shop, at_ns, payment);

CREATE TABLE shop_refunds (
    refund BLOB NOT NULL,
    payment BLOB NOT NULL,
    shop BLOB NOT NULL,
    till BLOB,
    asset INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    fee_back_minor INTEGER NOT NULL,
    reason TEXT NOT NULL,
    made_by BLOB NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (refund)
) STRICT, WITHOUT ROWID;

CREATE INDEX shop_refunds_by_payment ON shop_refunds (payment, refund);
CREATE INDEX shop_refunds_by_time ON shop_refunds (shop, at_ns, refund);

-- Payers' one-use codes that were used, until their time is over anyway.
CREATE TABLE shop_codes (
    code BLOB NOT NULL,
    until_ns INTEGER NOT NULL,
    PRIMARY KEY (code)
) STRICT, WITHOUT ROWID;

CREATE INDEX shop_codes_by_time ON shop_codes (until_ns);

CREATE TABLE shop_exits (
    token BLOB NOT NULL,
    shop BLOB NOT NULL,
    order_id BLOB NOT NULL,
    payment BLOB NOT NULL,
    until_ns INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (token)
) STRICT, WITHOUT ROWID;

CREATE INDEX shop_exits_by_order ON shop_exits (order_id, token);

-- A stay is offered, in_house, ended or withdrawn; the deposit of one in the house is a hold of the kernel.
CREATE TABLE shop_stays (
    stay BLOB NOT NULL,
    shop BLOB NOT NULL,
    asset INTEGER NOT NULL,
    deposit_minor INTEGER NOT NULL,
    until_ns INTEGER NOT NULL,
    state TEXT NOT NULL,
    made_ns INTEGER NOT NULL,
    guest BLOB,
    key BLOB,
    hold BLOB,
    checked_in_ns INTEGER NOT NULL,
    timer INTEGER,
    folio_minor INTEGER NOT NULL,
    folio_lines INTEGER NOT NULL,
    payment BLOB,
    PRIMARY KEY (stay)
) STRICT, WITHOUT ROWID;

CREATE INDEX shop_stays_by_shop ON shop_stays (shop, made_ns, stay);
CREATE INDEX shop_stays_by_guest ON shop_stays (guest, made_ns, stay);

CREATE TABLE shop_folio (
    stay BLOB NOT NULL,
    line INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    label BLOB NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (stay, line)
) STRICT, WITHOUT ROWID;

-- A business day's money on its way to the bank: waiting, paid, empty or failed.
CREATE TABLE shop_settlements (
    settlement BLOB NOT NULL,
    shop BLOB NOT NULL,
    asset INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    paid_minor INTEGER NOT NULL,
    state TEXT NOT NULL,
    cut_ns INTEGER NOT NULL,
    due_ns INTEGER NOT NULL,
    withdrawal BLOB,
    PRIMARY KEY (settlement)
) STRICT, WITHOUT ROWID;

CREATE INDEX shop_settlements_by_time ON shop_settlements (shop, cut_ns, settlement);
CREATE INDEX shop_settlements_by_state ON shop_settlements (shop, state, asset, settlement);

-- Closed reports, numbered by shop; an empty till stands for the whole shop.
CREATE TABLE shop_reports (
    shop BLOB NOT NULL,
    number INTEGER NOT NULL,
    till BLOB NOT NULL,
    from_ns INTEGER NOT NULL,
    to_ns INTEGER NOT NULL,
    PRIMARY KEY (shop, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX shop_reports_by_till ON shop_reports (shop, till, number);

CREATE TABLE shop_report_totals (
    shop BLOB NOT NULL,
    number INTEGER NOT NULL,
    asset INTEGER NOT NULL,
    sales INTEGER NOT NULL,
    gross_minor INTEGER NOT NULL,
    tip_minor INTEGER NOT NULL,
    fee_minor INTEGER NOT NULL,
    refunds INTEGER NOT NULL,
    refunded_minor INTEGER NOT NULL,
    fee_back_minor INTEGER NOT NULL,
    PRIMARY KEY (shop, number, asset)
) STRICT, WITHOUT ROWID;
