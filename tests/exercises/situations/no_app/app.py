def create_app():
    return 5
