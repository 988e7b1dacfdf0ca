-- Everybody who ever had a wallet. A state is 'open', 'frozen' or 'closed'; who froze it stands beside it.
CREATE TABLE wallet_people (
    person BLOB NOT NULL,
    tier INTEGER NOT NULL,
    state TEXT NOT NULL,
    self_frozen INTEGER NOT NULL,
    operator_frozen TEXT NOT NULL,
    opened_ns INTEGER NOT NULL,
    PRIMARY KEY (person)
) STRICT, WITHOUT ROWID;

CREATE INDEX wallet_people_by_state ON wallet_people (state, person);

-- One account for each person and currency; what was spent in the newest UTC day and year with spending; own limits.
CREATE TABLE wallet_purses (
    person BLOB NOT NULL,
    asset INTEGER NOT NULL,
    account BLOB NOT NULL,
    day INTEGER NOT NULL,
    day_minor INTEGER NOT NULL,
    year INTEGER NOT NULL,
    year_minor INTEGER NOT NULL,
    own_payment_minor INTEGER NOT NULL,
    own_day_minor INTEGER NOT NULL,
    raise_payment_minor INTEGER NOT NULL,
    raise_day_minor INTEGER NOT NULL,
    raise_ns INTEGER NOT NULL,
    raise_timer INTEGER NOT NULL,
    PRIMARY KEY (person, asset)
) STRICT, WITHOUT ROWID;

-- Limits of a tier in a currency; zero is no limit. A currency without a row has the limits of a rule (limits.py).
CREATE TABLE wallet_limits (
    tier INTEGER NOT NULL,
    asset INTEGER NOT NULL,
    payment_minor INTEGER NOT NULL,
    day_minor INTEGER NOT NULL,
    year_minor INTEGER NOT NULL,
    balance_minor INTEGER NOT NULL,
    PRIMARY KEY (tier, asset)
) STRICT, WITHOUT ROWID;

CREATE TABLE wallet_parameters (
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;

-- An alias is in use while released_ns is 0; afterwards it rests.
CREATE TABLE wallet_aliases (
    alias BLOB NOT NULL,
    person BLOB NOT NULL,
    claimed_ns INTEGER NOT NULL,
    released_ns INTEGER NOT NULL,
    PRIMARY KEY (alias)
) STRICT, WITHOUT ROWID;

CREATE INDEX wallet_aliases_by_person ON wallet_aliases (person, alias);

CREATE TABLE wallet_contacts (
    contact BLOB NOT NULL,
    person BLOB NOT NULL,
    kind TEXT NOT NULL,
    findable INTEGER NOT NULL,
    PRIMARY KEY (contact)
) STRICT, WITHOUT ROWID;

CREATE INDEX wallet_contacts_by_person ON wallet_contacts (person, contact);

CREATE TABLE wallet_devices (
    device BLOB NOT NULL,
    person BLOB NOT NULL,
    key BLOB NOT NULL,
    kind TEXT NOT NULL,
    label BLOB,
    added_ns INTEGER NOT NULL,
    PRIMARY KEY (device)
) STRICT, WITHOUT ROWID;

CREATE INDEX wallet_devices_by_person ON wallet_devices (person, device);

CREATE TABLE wallet_trusted (
    person BLOB NOT NULL,
    contact BLOB NOT NULL,
    since_ns INTEGER NOT NULL,
    PRIMARY KEY (person, contact)
) STRICT, WITHOUT ROWID;

CREATE INDEX wallet_trusted_by_contact ON wallet_trusted (contact, person);

-- A recovery is 'asked' until enough vouch, then 'approved' until its delay is over, then 'done'; or 'cancelled', 'expired'.
CREATE TABLE wallet_recoveries (
    recovery BLOB NOT NULL,
    person BLOB NOT NULL,
    device BLOB NOT NULL,
    key BLOB NOT NULL,
    kind TEXT NOT NULL,
    label BLOB,
    started_ns INTEGER NOT NULL,
    due_ns INTEGER NOT NULL,
    timer INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (recovery)
) STRICT, WITHOUT ROWID;

CREATE INDEX wallet_recoveries_by_person ON wallet_recoveries (person, started_ns, recovery);

CREATE TABLE wallet_vouchers (
    recovery BLOB NOT NULL,
    contact BLOB NOT NULL,
    PRIMARY KEY (recovery, contact)
) STRICT, WITHOUT ROWID;

CREATE TABLE wallet_roles (
    person BLOB NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (person, role)
) STRICT, WITHOUT ROWID;

-- A change in msgpack, and who made and who decided it.
CREATE TABLE wallet_proposals (
    proposal BLOB NOT NULL,
    made_ns INTEGER NOT NULL,
    maker BLOB NOT NULL,
    change BLOB NOT NULL,
    state TEXT NOT NULL,
    checker BLOB,
    decided_ns INTEGER NOT NULL,
    PRIMARY KEY (proposal)
) STRICT, WITHOUT ROWID;

CREATE INDEX wallet_proposals_by_state ON wallet_proposals (state, made_ns, proposal);

-- What operators did, in order; the subject is a person, a proposal, or empty.
CREATE TABLE wallet_audit (
    number INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    actor BLOB NOT NULL,
    action TEXT NOT NULL,
    subject BLOB NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (number)
) STRICT, WITHOUT ROWID;
