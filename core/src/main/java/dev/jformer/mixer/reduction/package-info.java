/** Token reduction: pruning (Zero-TPrune, EViT) and merging (ToMe) tokens between blocks. */
package dev.jformer.mixer.reduction;
