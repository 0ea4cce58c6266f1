"""Sources of listings: WEBEmo's lists, tables and folders."""
