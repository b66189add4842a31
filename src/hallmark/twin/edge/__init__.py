"""The data plane of the emulated load balancers: what a client of the public name meets.

One process is every application load balancer of one account. Clients reach it as an HTTP proxy on the loopback: a
``CONNECT`` resolves the name through the emulated Route 53, meets the load balancer's security groups, and from there
on the connection is one to that load balancer: TLS, web ACL, listener rules, targets.

What it does is read from the emulated AWS, again about every second while there is traffic.

Left out: HTTP/2, WebSocket, gRPC, mutual TLS, authentication actions, sticky sessions, Lambda and instance targets,
network and classic load balancers, routes and network ACLs of subnets.
"""
