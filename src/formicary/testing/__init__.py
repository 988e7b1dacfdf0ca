"""The test kit that ships: readable ledger tables, faulty disks, the simulator, soak and golden logs."""
