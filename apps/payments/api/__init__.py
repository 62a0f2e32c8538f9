"""The payments API: the customer's, the merchant's, and the live one that waits."""
