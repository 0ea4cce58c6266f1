"""Where listings come from: lists of URLs, folders of images, and their taxonomies."""
