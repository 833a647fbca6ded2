"""The world behind the ports: programmes, servers, disks, clocks. Only `compose` imports this room."""
