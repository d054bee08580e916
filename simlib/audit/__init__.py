"""An account of your own: what people have - error texts, records, dumps - read offline and explained."""
