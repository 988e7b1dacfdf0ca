-- Every version of the rules, as one value each; the newest speaks.
CREATE TABLE guard_rulesets (
    version INTEGER NOT NULL,
    rules BLOB NOT NULL,
    set_ns INTEGER NOT NULL,
    set_by BLOB NOT NULL,
    PRIMARY KEY (version)
) STRICT;

-- Rules that somebody proposed, as one value each, and how somebody else decided; version is 0 while they never spoke.
CREATE TABLE guard_proposals (
    proposal BLOB NOT NULL,
    made_ns INTEGER NOT NULL,
    maker BLOB NOT NULL,
    based_on INTEGER NOT NULL,
    rules BLOB NOT NULL,
    state TEXT NOT NULL,
    checker BLOB,
    decided_ns INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (proposal)
) STRICT, WITHOUT ROWID;

CREATE INDEX guard_proposals_by_state ON guard_proposals (state, made_ns, proposal);

-- Who has paid whom: pseudonymous ids, one row for each pair and currency, never a single payment. sum_minor is what
-- went along since since_ns, a week at most; last_day the UTC day of the newest, so that the index moves once a day.
CREATE TABLE guard_edges (
    payer BLOB NOT NULL,
    payee BLOB NOT NULL,
    asset INTEGER NOT NULL,
    first_ns INTEGER NOT NULL,
    last_day INTEGER NOT NULL,
    since_ns INTEGER NOT NULL,
    sum_minor INTEGER NOT NULL,
    PRIMARY KEY (payer, payee, asset)
) STRICT, WITHOUT ROWID;

CREATE INDEX guard_edges_in ON guard_edges (payee, asset, last_day, payer);

-- How much a payer pays: this window of time and the one before.
CREATE TABLE guard_paces (
    payer BLOB NOT NULL,
    asset INTEGER NOT NULL,
    since_ns INTEGER NOT NULL,
    payments INTEGER NOT NULL,
    sum_minor INTEGER NOT NULL,
    payments_before INTEGER NOT NULL,
    sum_before_minor INTEGER NOT NULL,
    PRIMARY KEY (payer, asset)
) STRICT, WITHOUT ROWID;

-- Held payments, reports, and rings. A held payment's money is in a hold of the kernel under the payment's id.
CREATE TABLE guard_cases (
    case_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    payment BLOB,
    payer BLOB NOT NULL,
    payee BLOB NOT NULL,
    asset INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    reasons TEXT NOT NULL,
    state TEXT NOT NULL,
    opened_ns INTEGER NOT NULL,
    until_ns INTEGER NOT NULL,
    timer INTEGER NOT NULL,
    opened_by BLOB,
    text BLOB,
    decision TEXT,
    decided_by BLOB,
    decided_ns INTEGER,
    reason BLOB,
    PRIMARY KEY (case_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX guard_cases_by_payment ON guard_cases (payment, kind, case_id);
CREATE INDEX guard_cases_by_state ON guard_cases (state, opened_ns, case_id);
CREATE INDEX guard_cases_by_reporter ON guard_cases (opened_by, state) WHERE opened_by IS NOT NULL;
CREATE INDEX guard_cases_by_payer ON guard_cases (payer, kind, opened_ns, case_id);
CREATE INDEX guard_cases_by_payee ON guard_cases (payee, kind, opened_ns, case_id);

-- Who is in a ring.
CREATE TABLE guard_members (
    case_id BLOB NOT NULL,
    party BLOB NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (case_id, party)
) STRICT, WITHOUT ROWID;

CREATE INDEX guard_members_by_party ON guard_members (party, case_id);

-- What the parties of a case say against it.
CREATE TABLE guard_appeals (
    case_id BLOB NOT NULL,
    party BLOB NOT NULL,
    text BLOB NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (case_id, party)
) STRICT, WITHOUT ROWID;

-- To whom every payment is held, and because of which case.
CREATE TABLE guard_marks (
    party BLOB NOT NULL,
    case_id BLOB NOT NULL,
    PRIMARY KEY (party, case_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX guard_marks_by_case ON guard_marks (case_id, party);
