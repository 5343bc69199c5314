"""How quick the window is, on a real account: what is measured, the account, and the window itself."""
