# Models of this app.
from webhooks.deliveries import Delivery as Delivery
from webhooks.endpoints import Endpoint as Endpoint
