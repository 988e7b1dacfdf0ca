-- Every institution known, this one among them; none is ever removed.
CREATE TABLE clearing_institutions (
    institution BLOB NOT NULL,
    own INTEGER NOT NULL,
    key BLOB NOT NULL,
    address TEXT NOT NULL,
    notice_minor INTEGER NOT NULL,
    PRIMARY KEY (institution)
) STRICT, WITHOUT ROWID;

CREATE TABLE clearing_accounts (
    institution BLOB NOT NULL,
    asset INTEGER NOT NULL,
    account BLOB NOT NULL,
    PRIMARY KEY (institution, asset)
) STRICT, WITHOUT ROWID;

-- Payments of our customers to others'. "to_do" is 1 while the other institution has to hear something.
CREATE TABLE clearing_out (
    transfer BLOB NOT NULL,
    number INTEGER NOT NULL,
    institution BLOB NOT NULL,
    payer BLOB NOT NULL,
    payee BLOB NOT NULL,
    asset INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    note BLOB,
    state TEXT NOT NULL,
    code TEXT NOT NULL,
    to_do INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    timer INTEGER NOT NULL,
    word BLOB,
    PRIMARY KEY (transfer),
    UNIQUE (number)
) STRICT, WITHOUT ROWID;

CREATE INDEX clearing_out_by_payer ON clearing_out (payer, number);
CREATE INDEX clearing_out_by_to_do ON clearing_out (to_do, number);

-- Payments of others' customers to ours; one that was called off before we heard of it has no payee.
CREATE TABLE clearing_in (
    institution BLOB NOT NULL,
    transfer BLOB NOT NULL,
    number INTEGER NOT NULL,
    payment BLOB NOT NULL,
    payee BLOB NOT NULL,
    asset INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    note BLOB,
    state TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    word BLOB,
    PRIMARY KEY (institution, transfer),
    UNIQUE (number)
) STRICT, WITHOUT ROWID;

-- What is settled through the banks. Out: an operator proposes, another person approves, the bank pays; how far that got
-- stands in the bank's own rows, under the payment. In: what the bank booked for an institution.
CREATE TABLE clearing_settlements (
    settlement BLOB NOT NULL,
    number INTEGER NOT NULL,
    institution BLOB NOT NULL,
    asset INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    state TEXT NOT NULL,
    account_ref BLOB NOT NULL,
    maker BLOB NOT NULL,
    made_ns INTEGER NOT NULL,
    checker BLOB,
    decided_ns INTEGER NOT NULL,
    payment BLOB NOT NULL,
    PRIMARY KEY (settlement),
    UNIQUE (number)
) STRICT, WITHOUT ROWID;

CREATE INDEX clearing_settlements_by_state ON clearing_settlements (state, number);

CREATE INDEX clearing_in_by_payee ON clearing_in (payee, number);
CREATE INDEX clearing_in_by_state ON clearing_in (state, number);
