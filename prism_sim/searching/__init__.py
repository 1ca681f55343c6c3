"""The best points of a sweep by several objectives, without computing all of them."""
