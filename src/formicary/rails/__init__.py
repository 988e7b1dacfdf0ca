"""Other systems, in their own standards: banks (ISO 20022), QR codes (EMVCo), bar codes."""
