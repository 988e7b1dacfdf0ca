-- Every payment that a person sees: their own, and those that other products record. A held one has its money in a hold
-- of the kernel under the payment's own id.
CREATE TABLE pay_payments (
    payment BLOB NOT NULL,
    kind TEXT NOT NULL,
    payer BLOB NOT NULL,
    payee BLOB NOT NULL,
    asset INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    state TEXT NOT NULL,
    purpose TEXT NOT NULL,
    note BLOB,
    reference BLOB,
    PRIMARY KEY (payment)
) STRICT, WITHOUT ROWID;

CREATE INDEX pay_payments_by_payer ON pay_payments (payer, at_ns, payment);
CREATE INDEX pay_payments_by_payee ON pay_payments (payee, at_ns, payment);
CREATE INDEX pay_payments_held ON pay_payments (kind, payment) WHERE state = 'held';

-- Who asks whom for money.
CREATE TABLE pay_requests (
    request BLOB NOT NULL,
    payee BLOB NOT NULL,
    payer BLOB NOT NULL,
    asset INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    note BLOB,
    split BLOB,
    made_ns INTEGER NOT NULL,
    until_ns INTEGER NOT NULL,
    timer INTEGER NOT NULL,
    state TEXT NOT NULL,
    payment BLOB,
    PRIMARY KEY (request)
) STRICT, WITHOUT ROWID;

CREATE INDEX pay_requests_by_payee ON pay_requests (payee, state, made_ns, request);
CREATE INDEX pay_requests_by_payer ON pay_requests (payer, state, made_ns, request);

-- Red packets. The money that nobody has opened yet is on this product's own account of the asset.
CREATE TABLE pay_packets (
    packet BLOB NOT NULL,
    giver BLOB NOT NULL,
    asset INTEGER NOT NULL,
    total_minor INTEGER NOT NULL,
    rest_minor INTEGER NOT NULL,
    shares INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    how TEXT NOT NULL,
    note BLOB,
    open_to_all INTEGER NOT NULL,
    made_ns INTEGER NOT NULL,
    until_ns INTEGER NOT NULL,
    timer INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (packet)
) STRICT, WITHOUT ROWID;

CREATE INDEX pay_packets_by_giver ON pay_packets (giver, state, made_ns, packet);
CREATE INDEX pay_packets_open ON pay_packets (asset, packet) WHERE state IN ('open', 'returning');

-- Who may open a packet, and who has: amount_minor is NULL until then.
CREATE TABLE pay_openings (
    packet BLOB NOT NULL,
    party BLOB NOT NULL,
    made_ns INTEGER NOT NULL,
    amount_minor INTEGER,
    payment BLOB,
    PRIMARY KEY (packet, party)
) STRICT, WITHOUT ROWID;

CREATE INDEX pay_openings_by_party ON pay_openings (party, made_ns, packet);

-- Payments to come, and standing orders.
CREATE TABLE pay_orders (
    standing BLOB NOT NULL,
    payer BLOB NOT NULL,
    payee BLOB NOT NULL,
    asset INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    note BLOB,
    first_ns INTEGER NOT NULL,
    every TEXT NOT NULL,
    times INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    next_ns INTEGER NOT NULL,
    timer INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (standing)
) STRICT, WITHOUT ROWID;

CREATE INDEX pay_orders_by_payer ON pay_orders (payer, state, next_ns, standing);
