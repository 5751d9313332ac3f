/** Token reduction: pruning and merging tokens between the blocks of a model. */
package dev.jformer.mixer.reduction;
