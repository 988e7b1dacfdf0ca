-- The institution's books of a currency: what stands at its bank, and what of it is on the way or not understood yet.
CREATE TABLE bank_books (
    asset INTEGER NOT NULL PRIMARY KEY,
    nostro BLOB NOT NULL,
    transit BLOB NOT NULL,
    unclear_in BLOB NOT NULL,
    unclear_out BLOB NOT NULL,
    own BLOB NOT NULL
) STRICT;

-- Bank accounts that people linked, and those of other institutions; the IBAN itself is sealed in the vault. The
-- reference is what an institution wants to read in each payment to it; empty for people.
CREATE TABLE bank_links (
    account_ref BLOB NOT NULL,
    party BLOB NOT NULL,
    iban BLOB NOT NULL,
    iban_digest BLOB NOT NULL,
    linked_ns INTEGER NOT NULL,
    state TEXT NOT NULL,
    reference TEXT NOT NULL,
    PRIMARY KEY (account_ref)
) STRICT, WITHOUT ROWID;
CREATE INDEX bank_links_by_party ON bank_links (party, account_ref);

-- The number in a person's top-up reference.
CREATE TABLE bank_references (
    number INTEGER NOT NULL PRIMARY KEY,
    party BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX bank_references_by_party ON bank_references (party);

-- Money on its way to a bank account. What is in transit: amount - booked - given_up.
CREATE TABLE bank_withdrawals (
    withdrawal BLOB NOT NULL,
    party BLOB NOT NULL,
    account BLOB NOT NULL,
    asset INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    account_ref BLOB NOT NULL,
    asked_ns INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    booked_minor INTEGER NOT NULL,
    given_up_minor INTEGER NOT NULL,
    back_minor INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (withdrawal)
) STRICT, WITHOUT ROWID;
CREATE INDEX bank_withdrawals_by_party ON bank_withdrawals (party, asked_ns, withdrawal);
CREATE INDEX bank_withdrawals_by_state ON bank_withdrawals (state, asset, withdrawal);

-- Every booking of the bank on the institution's account, once; open_minor of it is not understood yet.
CREATE TABLE bank_entries (
    entry_ref BLOB NOT NULL,
    asset INTEGER NOT NULL,
    direction TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    reference TEXT NOT NULL,
    booked_ns INTEGER NOT NULL,
    seen_ns INTEGER NOT NULL,
    open_minor INTEGER NOT NULL,
    state TEXT NOT NULL,
    why TEXT NOT NULL,
    party BLOB NOT NULL,
    payment BLOB NOT NULL,
    statement INTEGER NOT NULL,
    PRIMARY KEY (entry_ref)
) STRICT, WITHOUT ROWID;
CREATE INDEX bank_entries_by_state ON bank_entries (state, asset, entry_ref);
CREATE INDEX bank_entries_by_statement ON bank_entries (asset, statement, entry_ref);

-- What the bank's statements said.
CREATE TABLE bank_statements (
    asset INTEGER NOT NULL,
    number INTEGER NOT NULL,
    date INTEGER NOT NULL,
    opening_minor INTEGER NOT NULL,
    closing_minor INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    seen_ns INTEGER NOT NULL,
    PRIMARY KEY (asset, number)
) STRICT, WITHOUT ROWID;

-- What statements list of a currency, added up: by it the newest closing balance is compared without reading bookings.
CREATE TABLE bank_listed (
    asset INTEGER NOT NULL PRIMARY KEY,
    amount_minor INTEGER NOT NULL
) STRICT;

-- The backing of each day as it was counted, by currency; never changed.
CREATE TABLE bank_backing (
    day INTEGER NOT NULL,
    asset INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    seen_ns INTEGER NOT NULL,
    customers_minor INTEGER NOT NULL,
    nostro_minor INTEGER NOT NULL,
    transit_minor INTEGER NOT NULL,
    claims_minor INTEGER NOT NULL,
    own_minor INTEGER NOT NULL,
    statement INTEGER NOT NULL,
    closing_minor INTEGER NOT NULL,
    unlisted_minor INTEGER NOT NULL,
    difference_minor INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    PRIMARY KEY (day, asset)
) STRICT, WITHOUT ROWID;
CREATE INDEX bank_backing_by_asset ON bank_backing (asset, day);
