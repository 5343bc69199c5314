"""Programs that ship with the product and try it: real servers, real clients, real disks, and figures."""
