/** Text as training data: corpora, tokenizers, token files and the batches drawn from them. */
package dev.jformer.data;
