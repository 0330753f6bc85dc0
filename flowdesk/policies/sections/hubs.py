from flowdesk.engine.lanes import HubPolicy
def read_hubs(node): return HubPolicy()
