class HubPolicy: pass
