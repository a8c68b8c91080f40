import java.math.BigDecimal;
import java.math.RoundingMode;

/** The yearly fee in cents, after a reduction, and in how many parts it is paid. - Temitope */
class Instalments {
    /** An amount below 0 is money that we pay back. Gives what is due, one part of it, and what the parts leave over. */
    static int[] instalments(int cents, int percent, int parts) {
        BigDecimal exact = new BigDecimal(cents).multiply(new BigDecimal(100 - percent)).movePointLeft(2);
        int due = exact.setScale(0, RoundingMode.HALF_UP).intValueExact();
        return new int[] {due, due / parts, due % parts};
    }
}
