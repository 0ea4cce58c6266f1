"""Sources of listings: lists of URLs, folders of images, and their taxonomies."""
