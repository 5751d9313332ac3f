/**
 * Mixers without attention that decode with a state: LSTM, retention, state space models, Legendre
 * memories, long convolutions.
 */
package dev.jformer.mixer.recurrent;
