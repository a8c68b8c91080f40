create_app = 5
