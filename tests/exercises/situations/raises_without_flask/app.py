def create_app():
    stock = {"apples": 3}

    def answer(environ, start_response):
        return [str(stock["pears"]).encode()]

    return answer
