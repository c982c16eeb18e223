"""How fast the service is: measurements that need a database or a process."""
