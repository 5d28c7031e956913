namespace nd {}
