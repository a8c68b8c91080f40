def helper(value):
    return value / 0


helper(3)
