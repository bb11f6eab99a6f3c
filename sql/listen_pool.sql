-- Whoever wishes for workers on another node tells by its id.
listen stepmill_pool;
