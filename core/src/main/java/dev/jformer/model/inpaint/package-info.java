/** Filling in hidden parts of images: codes of patches, and the Transformer that predicts them. */
package dev.jformer.model.inpaint;
